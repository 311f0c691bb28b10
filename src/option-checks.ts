import { misuse } from './errors.ts';

/** What options are, as far as it can be said of each alone. Pure. Who is not helped by a compiler finds out at once. */

/** The bounds of numbers are looked at elsewhere. */
export type Kind =
  | 'number'
  | 'whole'
  | 'flag'
  | 'text'
  | 'name'
  | 'bytes'
  | 'texts'
  | 'list'
  | 'textOrTexts'
  | 'group'
  | 'flagOrGroup'
  | 'protocol';

const isText = (value: unknown): boolean => typeof value === 'string';
const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isProtocol = (value: unknown): boolean => {
  const { name, decoder, encode } = (value ?? {}) as Record<string, unknown>;
  return isText(name) && typeof decoder === 'function' && typeof encode === 'function';
};

/** What each kind is called, and what is one. */
const KINDS: Readonly<Record<Kind, readonly [string, (value: unknown) => boolean]>> = {
  number: ['a number', Number.isFinite],
  whole: ['a whole number', Number.isInteger],
  flag: ['true or false', (value) => typeof value === 'boolean'],
  text: ['a text', isText],
  name: ['a text of at least one character', (value) => isText(value) && value !== ''],
  bytes: ['a text or bytes', (value) => isText(value) || value instanceof Uint8Array],
  texts: ['a list of texts', (value) => Array.isArray(value) && value.every(isText)],
  list: ['a list', Array.isArray],
  textOrTexts: [
    'a text or a list of texts',
    (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
  ],
  group: ['an object with options', isObject],
  flagOrGroup: [
    'true, false or an object with options',
    (value) => typeof value === 'boolean' || isObject(value),
  ],
  protocol: [
    'a protocol: name, decoder(limits) and encode(message); packages() makes one from input, decode and encode',
    isProtocol,
  ],
};

/** Which options there are, and of what kind each is. */
export type OptionKinds = Readonly<Record<string, Kind>>;

/** The kinds of these options, each of them. */
export type KindsOf<O> = { readonly [N in keyof Required<O>]: Kind };

/**
 * @param group what stands in front of the names, as `limits.`
 * @throws {TypeError} `OPTION_INVALID` for an option that there is not, or that is of another kind; absent ones are good
 */
export function checkKinds(options: object, kinds: OptionKinds, group = ''): void {
  if (!isObject(options))
    throw misuse('OPTION_INVALID', `the options are ${shown(options)}, expected an object`);
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) throw misuse('OPTION_INVALID', unknown(name, kinds, group));
    const [expected, fits] = KINDS[kind];
    if (value !== undefined && !fits(value))
      throw misuse('OPTION_INVALID', `${group}${name} is ${shown(value)}, expected ${expected}`);
  }
}

const unknown = (name: string, kinds: OptionKinds, group: string): string =>
  `${group}${name} is not an option; known: ${Object.keys(kinds).join(', ')}`;

/** In a few characters. */
function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  // JSON has neither NaN nor infinity.
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
