// The page works without this file: browsers print by their own menu. It shows a button that does the same.
(() => {
  "use strict";
  const button = document.querySelector("[data-print]");
  if (!button) return;

  button.hidden = false;
  button.addEventListener("click", () => window.print());
})();
