// npm run manifests: writes the files that have another source. test/charts/manifests.test.ts says when one is old.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BY_HELM, GENERATED } from './generated.ts';
import { commandPath, ROOT } from './helm.ts';

function write(path: string, text: string): void {
  const file = join(ROOT, path);
  let before = '';
  try {
    before = readFileSync(file, 'utf8');
  } catch {
    // It is new.
  }
  if (before === text) return;
  writeFileSync(file, text);
  console.log(path);
}

for (const [path, text] of Object.entries(GENERATED)) write(path, text());
if (commandPath('helm') === undefined)
  console.error(`without helm these are left as they are: ${Object.keys(BY_HELM).join(', ')}`);
else for (const [path, text] of Object.entries(BY_HELM)) write(path, text());
