import type { Member, Peers, Service } from './messages.ts';

/** Where the servers are that a program's clients may use, as JSON: the body of `POST /peers`. Pure. */

/** Every service that has peers. */
export const SERVICES: readonly Service[] = ['channel', 'gateway', 'globaldata'];

/**
 * Checks a list of peers.
 *
 * @returns the list, or what is wrong with it as a sentence that names the field
 */
export function peersOf(value: Readonly<Record<string, unknown>>): Peers | string {
  const { version, ...lists } = value;
  if (!Number.isSafeInteger(version) || (version as number) < 0)
    return `"version" is ${JSON.stringify(version)}, expected a whole number of 0 or more`;
  for (const [name, list] of Object.entries(lists)) {
    const known = SERVICES.some((service) => service === name);
    if (!known) return `"${name}" is not a field; known: version, ${SERVICES.join(', ')}`;
    const wrong = wrongList(name, list);
    if (wrong !== undefined) return wrong;
  }
  return value as Peers;
}

function wrongList(name: string, list: unknown): string | undefined {
  if (!Array.isArray(list))
    return `"${name}" is ${JSON.stringify(list)}, expected a list of {"id": string, "address": string}`;
  const wrong = list.findIndex((each) => !isMember(each));
  if (wrong !== -1) {
    const shape = '{"id": string, "address": string}, none of them empty';
    return `"${name}[${wrong}]" is ${JSON.stringify(list[wrong])}, expected ${shape}`;
  }
  const ids = list.map(({ id }: Member) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  return twice === undefined ? undefined : `"${name}" has the id ${JSON.stringify(twice)} twice`;
}

function isMember(each: unknown): boolean {
  const { id, address, ...others } = (each ?? {}) as Record<string, unknown>;
  const isText = (text: unknown) => typeof text === 'string' && text !== '';
  return isText(id) && isText(address) && Object.keys(others).length === 0;
}

/** Members from an address list as people write it: `a:2206, b:2206`; each is called by its address. */
export function membersOf(text: string): readonly Member[] {
  const addresses = text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  return [...new Set(addresses)].map((address) => ({ id: address, address }));
}
