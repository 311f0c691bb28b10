import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

/** The helm command, for what is made from the charts and for their tests. */

export const ROOT: string = fileURLToPath(new URL('..', import.meta.url));
export const CHARTS: string = join(ROOT, 'charts');

export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: objects of all kinds, looked into by tests
  readonly [field: string]: any;
};

/** Full path of a command on PATH, or among what `test/cluster/cluster build` has made. */
export function commandPath(name: string): string | undefined {
  const home = process.env['CLUSTER_HOME'] || '/var/lib/longshore-cluster';
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), join(home, 'bin')];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** @throws with what helm says; its `stderr` is the message */
export function helm(...args: string[]): string {
  const command = commandPath('helm');
  if (command === undefined) throw new Error('there is no helm on PATH or in CLUSTER_HOME/bin');
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe', cwd: ROOT });
  } catch (error) {
    throw new Error((error as { stderr?: string }).stderr ?? String(error));
  }
}

/** What a chart makes, as YAML. Some builds of helm take the cluster for 1.20 where they cannot ask it. */
export function rendered(
  folder: string,
  release: string,
  namespace: string,
  ...args: string[]
): string {
  const where = ['--namespace', namespace, '--kube-version', '1.36.0'];
  return helm('template', release, folder, ...where, ...args);
}

/** The same as objects, for tests. @param chart folder in charts/ */
export function template(chart: string, ...args: string[]): KubeObject[] {
  return objects(rendered(join(CHARTS, chart), 'demo', 'apps', ...args));
}

/** The objects in a YAML stream; @throws for what is no YAML, or has a key twice */
export function objects(text: string): KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw error;
    const value = document.toJS() as KubeObject | null;
    return value === null ? [] : [value];
  });
}
