import { createHash } from 'node:crypto';

/**
 * The digest of named texts that pods report of their code and configuration: 16 hex digits of the SHA-256 of the JSON
 * list of `[name, SHA-256 of the content]`, by name. The framework has the same; a test holds the two together.
 */
export function digest(entries: Readonly<Record<string, string | Uint8Array>>): string {
  const list = Object.entries(entries)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, content]) => [name, sha256(content)]);
  return sha256(JSON.stringify(list)).slice(0, 16);
}

const sha256 = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');
