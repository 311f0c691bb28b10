import { readFileSync, writeFileSync } from 'node:fs';
import { EXIT } from '../contract.ts';
import { messageOf } from '../errors.ts';
import type { Arguments } from './main.ts';

/**
 * `longshore tune NAME=VALUE …`: writes kernel settings of this network namespace. It is what the operator runs before a
 * server that wants them, with the right to do so. One that cannot be written is said and does not hold up the others,
 * nor the server: the server's metrics show what is effective.
 *
 * @throws if an argument is none; nothing is written then
 */
export async function tune({ file, rest }: Arguments): Promise<number> {
  for (const setting of [file, ...rest].map(parsed)) write(setting);
  return EXIT.ok;
}

type Setting = { readonly name: string; readonly value: string };

function parsed(text: string): Setting {
  const [, name, value] = /^(net(?:\.[a-z0-9_-]+)+)=([-0-9 \t]+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new Error(`"${text}" is not like net.core.somaxconn=65535`);
  return { name, value };
}

function write({ name, value }: Setting): void {
  const path = `/proc/sys/${name.replaceAll('.', '/')}`;
  try {
    writeFileSync(path, value);
    process.stdout.write(`${name} is ${readFileSync(path, 'utf8').trim()}\n`);
  } catch (error) {
    process.stdout.write(`${name} stays as it is: ${messageOf(error)}\n`);
  }
}
