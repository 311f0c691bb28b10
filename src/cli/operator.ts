import { fileURLToPath, pathToFileURL } from 'node:url';
import { EXIT } from '../contract.ts';

/**
 * `longshore operator`: becomes the Kubernetes operator, the other half of this package. It is loaded by its path, as a
 * program would be: the framework knows nothing of it.
 */
export async function operator(): Promise<number> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = fileURLToPath(new URL(`../../operator/main.${extension}`, import.meta.url));
  await import(pathToFileURL(file).href);
  return EXIT.ok;
}
