import { byte, type Field, fixed, flag, name, words } from './fields.ts';

/**
 * What both ends of a lasting connection between our own programs say before they trust each other. They are the first
 * kinds of each format, see `format.ts`; who says what when is in `handshake.ts`. Pure.
 */
export const GREETINGS = {
  /** A sign of life. */
  alive: [],
  hello: ['version', 'secured', 'nonce'],
  greeting: ['version', 'nonce', 'proof', 'member'],
  welcome: ['flag', 'proof'],
  /** The last message to a peer that is not wanted. */
  refused: ['reason'],
} as const;

/** The fields that they are made of. */
export type GreetingFields = {
  version: number;
  /** Whether the server demands proof of a secret. */
  secured: boolean;
  nonce: Buffer;
  proof: Buffer;
  /** The client is a server itself, and this is its name. */
  member: string;
  reason: string;
  flag: boolean;
};

export const greetingFields: { readonly [F in keyof GreetingFields]: Field<GreetingFields[F]> } = {
  version: byte,
  secured: flag,
  nonce: fixed(16),
  proof: fixed(32),
  member: name,
  reason: words,
  flag,
};

/** Those that a message may leave out. */
export type GreetingOptional = 'proof' | 'member';

export const GREETING_OPTIONAL: readonly GreetingOptional[] = ['proof', 'member'];

export type Hello = {
  readonly kind: 'hello';
  readonly version: number;
  readonly secured: boolean;
  readonly nonce: Buffer;
};

export type Greeting = {
  readonly kind: 'greeting';
  readonly version: number;
  readonly nonce: Buffer;
  readonly proof?: Buffer | undefined;
  readonly member?: string | undefined;
};

export type Welcome = {
  readonly kind: 'welcome';
  /** The server is about to leave. */
  readonly flag: boolean;
  readonly proof?: Buffer | undefined;
};

export type Refused = { readonly kind: 'refused'; readonly reason: string };

/** Any of them. */
export type HandshakeMessage = Hello | Greeting | Welcome | Refused | { readonly kind: 'alive' };
