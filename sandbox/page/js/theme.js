// Runs before the first paint, so that a remembered choice of light or dark never flashes. Also the switch itself.
(() => {
  const root = document.documentElement;
  const remembered = (() => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage can be forbidden; the system's preference then holds
    }
  })();
  if (remembered === "light" || remembered === "dark") root.dataset.theme = remembered;

  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  window.theme = {
    isDark,
    toggle() {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // not remembered, still switched
      }
    },
  };
})();
