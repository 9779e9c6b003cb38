// Runs before the first paint: the saved colours and the language, so that nothing flickers.
(() => {
  const saved = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const root = document.documentElement;
  const theme = saved("doorward.theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const wanted = new URLSearchParams(location.search).get("lang")
    || saved("doorward.lang") || navigator.language || "en";
  root.lang = wanted.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
})();
