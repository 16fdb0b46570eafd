// Owns the height a keyboard leaves to the page.

/** Where a keyboard covers the page instead of shrinking it (iOS), the page shrinks itself. */
export function wireViewport() {
  visualViewport?.addEventListener("resize", () => {
    const { height, scale } = visualViewport;
    const covered = scale === 1 && height < innerHeight - 1;
    document.documentElement.style.setProperty("--vvh", covered ? `${height}px` : "100dvh");
  });
}
