// Runs before the first paint, so that the skeleton already has the visitor's theme and language.
{
  let prefs = {};
  try {
    prefs = JSON.parse(localStorage.getItem("tabernetes.prefs") ?? "{}");
  } catch {
    // A browser that refuses storage gets the defaults.
  }
  const root = document.documentElement;
  const dark = prefs.theme ? prefs.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "dark" : "light";
  root.lang = prefs.lang ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en");
  if (new URLSearchParams(location.search).get("embed") === "1") root.classList.add("embed");
}
