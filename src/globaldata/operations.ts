/** What can be asked of shared data, and what is answered. Values are stored bytes: see `value.ts`. Pure. */

type Lookup =
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'has'; readonly key: string };

/** Something that only looks. */
export type Reading = Lookup | { readonly kind: 'keys'; readonly pattern: string };

/** Something about one key. */
export type Keyed = Lookup | Writing;

/** Something that changes data. `ms`: how long what it stores lives; without it for ever. */
export type Writing =
  | {
      readonly kind: 'set';
      readonly key: string;
      readonly ms?: number | undefined;
      readonly value: Buffer;
    }
  | {
      readonly kind: 'add';
      readonly key: string;
      readonly ms?: number | undefined;
      readonly value: Buffer;
    }
  /** Without `expected`: there is to be none. What is stored lives as long as what it replaces. */
  | {
      readonly kind: 'cas';
      readonly key: string;
      readonly expected?: Buffer | undefined;
      readonly value: Buffer;
    }
  | { readonly kind: 'increment'; readonly key: string; readonly step: number }
  | { readonly kind: 'expire'; readonly key: string; readonly ms?: number | undefined }
  | { readonly kind: 'delete'; readonly key: string };

export type Operation = Reading | Writing;

export type Answer =
  /** To `get`; without a value: there is none. */
  | { readonly kind: 'value'; readonly value?: Buffer | undefined }
  /** To `increment`. */
  | { readonly kind: 'number'; readonly number: number }
  /** To `keys`, in order. */
  | { readonly kind: 'names'; readonly names: readonly string[] }
  /** To all others: whether it was there, or was done. */
  | { readonly kind: 'yes'; readonly flag: boolean }
  /** It was not done, and why. */
  | { readonly kind: 'refusal'; readonly reason: string };

/** Whether an operation may be sent again when it is not known what became of it. */
export function isReading(operation: Operation): operation is Reading {
  return operation.kind === 'get' || operation.kind === 'has' || operation.kind === 'keys';
}

/** Longest list of keys, in bytes of their names. */
export const NAMES_MAX = 8_388_608;

/** To `keys` where the list would be longer. */
export function tooManyNames(pattern: string): Answer {
  const reason = `the names of "${pattern}" are more than ${NAMES_MAX} bytes; ask for a part of them`;
  return { kind: 'refusal', reason };
}
