import { misuse } from '../errors.ts';
import { matcher } from '../inner/pattern.ts';
import type { Bounds } from './engine.ts';

/** A declaration of history: for which channels, and how much. */
export type HistoryDeclaration = Bounds & {
  /** A channel's name; `*` stands for any characters, also none. */
  readonly channels: string;
};

/** Most events that can be kept of one channel. */
export const SIZE_MAX = 1_000_000;
/** Longest that they can be kept: 30 days. */
export const SECONDS_MAX = 2_592_000;

type Rule = { readonly fits: (channel: string) => boolean; readonly bounds: Bounds };

/** Which channels have a history. Pure. */
export class Declarations {
  readonly #rules: readonly Rule[];

  /**
   * @throws {RangeError} `OPTION_INVALID` for sizes and seconds out of bounds
   */
  constructor(declarations: readonly HistoryDeclaration[] = []) {
    this.#rules = declarations.map(ruleOf);
  }

  /** The bounds of a channel's history, by the first declaration that fits; `undefined`: it has none. */
  of(channel: string): Bounds | undefined {
    return this.#rules.find(({ fits }) => fits(channel))?.bounds;
  }
}

function ruleOf({ channels, size, seconds }: HistoryDeclaration): Rule {
  if (!Number.isInteger(size) || size < 1 || size > SIZE_MAX) {
    throw wrong(`history of "${channels}": size ${size}, allowed: 1 to ${SIZE_MAX}`);
  }
  if (!(seconds >= 1 && seconds <= SECONDS_MAX)) {
    throw wrong(`history of "${channels}": ${seconds} seconds, allowed: 1 to ${SECONDS_MAX}`);
  }
  return { fits: matcher(channels), bounds: { size, seconds: Math.ceil(seconds) } };
}

const wrong = (message: string) => misuse('OPTION_INVALID', message, 'range');
