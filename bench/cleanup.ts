/** Whatever is left when this process ends, however it does, is cleaned up by these. */
const left = new Set<() => void>();

/** @returns takes the promise back, when the cleaning has been done in good order */
export function atExit(clean: () => void): () => void {
  left.add(clean);
  return () => left.delete(clean);
}

/** Makes it so; once, at the beginning. */
export function cleanUpAtExit(): void {
  process.on('exit', () => {
    for (const clean of [...left].reverse()) clean();
  });
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));
}
