// Everything works without this file. It only spares a second tap and moves the focus to what went wrong.
(() => {
  "use strict";

  // A form goes once. The server keeps one row per planned dose anyway; this keeps the page calm.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if ("download" in form.dataset) return; // the page stays, and the same file may be wanted again
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    for (const button of form.querySelectorAll("[type=submit]")) button.setAttribute("aria-disabled", "true");
  });

  // Coming back with the browser's Back button: the form may go again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
    }
  });

  // Error summary: focused on load, and its links put the cursor into the field, or on the first choice of a group.
  document.querySelector(".error-summary")?.focus();
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".error-summary a");
    const target = link && document.getElementById(link.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    const field = target.matches("input, select, textarea, button") ? target : target.querySelector("input, select, textarea");
    (field ?? target).focus();
    (field ?? target).scrollIntoView({ block: "center" });
  });

  // Display settings: the page shows the chosen theme at once; saving keeps it.
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[data-preview=theme]")) document.documentElement.dataset.theme = event.target.value;
  });
})();
