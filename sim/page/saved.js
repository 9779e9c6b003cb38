// What this browser remembers: colours, language, sound. Forbidden storage is no error.

export function load(key) {
  try { return localStorage.getItem(`doorward.${key}`); } catch { return null; }
}

export function save(key, value) {
  try { localStorage.setItem(`doorward.${key}`, value); } catch { /* private window */ }
}
