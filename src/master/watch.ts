import { watch } from 'node:fs';
import { basename, join, sep } from 'node:path';

const SETTLE_MS = 100;
const CODE = /\.([cm]?[jt]s|json)$/;

/**
 * Watches a folder and everything below it for changed code: `.ts`, `.js`, their module variants and `.json`, but not
 * `node_modules` and hidden folders.
 *
 * @param changed told once for changes that come together, with the first of them
 */
export function watchFiles(folder: string, changed: (file: string) => void): void {
  let first: string | undefined;
  const begin = () =>
    watch(folder, { recursive: true }, (_, file) => {
      if (file === null || !CODE.test(file) || ignored(file) || first !== undefined) return;
      first = join(folder, file);
      // Editors write in several steps.
      setTimeout(() => {
        const told = first as string;
        first = undefined;
        // A file that was saved by renaming another one is a new one, which Node does not follow.
        watcher.close();
        watcher = begin();
        changed(told);
      }, SETTLE_MS);
    });
  let watcher = begin();
}

const ignored = (file: string): boolean =>
  file
    .split(sep)
    .some((part) => part === 'node_modules' || (part.startsWith('.') && part !== basename(file)));
