// Names for controls whose visible text and accessible name differ in the theme, and for its unnamed regions.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("button, a.btn, summary")) {
    const shown = button.textContent.trim().replace(/\s+/g, " ");
    const name = button.getAttribute("aria-label");
    if (name && shown && !name.toLowerCase().includes(shown.toLowerCase())) button.setAttribute("aria-label", shown);
    if (!name && !shown) button.setAttribute("aria-label", button.title || button.dataset.bsTitle || "menu");
  }
  for (const link of document.querySelectorAll("a")) {
    if (!link.textContent.trim() && !link.getAttribute("aria-label") && !link.querySelector("img[alt]")) {
      link.setAttribute("aria-label", link.title || link.dataset.bsTitle || link.getAttribute("href"));
    }
  }
  const title = document.querySelector(".bd-sidebar-primary .sidebar-primary-items__start");
  if (title && !title.closest("[role]")) {
    title.setAttribute("role", "region");
    title.setAttribute("aria-label", "Book");
  }
});
