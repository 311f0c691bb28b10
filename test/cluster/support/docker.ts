import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run, works } from './run.ts';

/** Why there are no containers here; `undefined` if there are. */
export const noDocker: string | undefined = (await works('docker', 'info'))
  ? undefined
  : 'no Docker engine answers; test/cluster/docker-engine up starts one';

const hasBuildx = noDocker === undefined && (await works('docker', 'buildx', 'version'));

/** Runs `docker`; gives its output without the last line's end. */
export async function docker(...args: string[]): Promise<string> {
  return (await run('docker', args, { ms: 600_000 })).trimEnd();
}

/** Builds an image from a folder with a Dockerfile in it; gives its name. */
export async function build(folder: string, name: string): Promise<string> {
  // The host's network, because a build fetches packages wherever the host does.
  await run('docker', ['build', '--quiet', '--network', 'host', '--tag', name, folder], {
    ms: 900_000,
    env: hasBuildx ? {} : { DOCKER_BUILDKIT: '0' },
  });
  return name;
}

/** The image under test: `LONGSHORE_IMAGE`, or one that is built from this checkout. */
export async function image(): Promise<string> {
  return process.env['LONGSHORE_IMAGE'] || build(ROOT, 'longshore:test');
}

/** Saves an image as an archive, for as long as it is used. */
export async function archived(
  name: string,
  use: (file: string) => Promise<unknown>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-image-'));
  const file = join(folder, 'image.tar');
  try {
    await docker('save', '--output', file, name);
    await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
