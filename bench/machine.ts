import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { VERSION } from '../src/contract.ts';

/** What the figures were measured with. */
export type Machine = {
  readonly longshore: string;
  readonly node: string;
  readonly ws: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly date: string;
};

export function machine(): Machine {
  const file = new URL('../node_modules/ws/package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  const cores = cpus();
  return {
    longshore: VERSION,
    node: process.version,
    ws: version,
    kernel: `${process.platform} ${release()}`,
    cpu: `${cores.length} x ${cores[0]?.model.trim() ?? 'unknown'}`,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** In one line. */
export function machineText({ longshore, node, ws, kernel, cpu, date }: Machine): string {
  return `Longshore ${longshore}, Node ${node}, ws ${ws}, ${kernel}, ${cpu}, ${date}`;
}
