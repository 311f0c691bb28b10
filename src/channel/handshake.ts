import { nonce, proof, proves } from '../inner/secret.ts';
import { FORMAT_VERSION, type MessageOf } from './format.ts';

/** What the client side does about a server's hello. */
export type Answer = {
  readonly greeting: MessageOf<'greeting'>;
  /** Whether the server's welcome shows that it is one of ours. */
  trusts(welcome: MessageOf<'welcome'>): boolean;
};

/**
 * A client's answer to a server.
 *
 * @param member the client is a server itself, and this is its name
 * @returns the answer, or why there is none
 */
export function answerTo(
  hello: MessageOf<'hello'>,
  secret: string | undefined,
  member: string | undefined,
): Answer | string {
  if (hello.version !== FORMAT_VERSION)
    return `the server speaks version ${hello.version}, we speak ${FORMAT_VERSION}`;
  if (hello.secured && secret === undefined)
    return 'the server demands a secret: set LONGSHORE_SECRET or the option "secret"';
  if (secret !== undefined && !hello.secured)
    return 'we have a secret, but the server has none: it may be another one than you think';
  const own = nonce();
  const greeting: MessageOf<'greeting'> = {
    kind: 'greeting',
    version: FORMAT_VERSION,
    nonce: own,
    proof: secret === undefined ? undefined : proof(secret, hello.nonce, 'client'),
    member,
  };
  return {
    greeting,
    trusts: (welcome) =>
      secret === undefined ||
      (welcome.proof !== undefined && proves(secret, own, 'server', welcome.proof)),
  };
}

/** A server's first words on one connection. */
export function helloOf(secret: string | undefined): MessageOf<'hello'> {
  return {
    kind: 'hello',
    version: FORMAT_VERSION,
    secured: secret !== undefined,
    nonce: nonce(),
  };
}

/**
 * What the server says to a client's answer.
 *
 * @param leaving it is about to leave
 */
export function verdictOn(
  greeting: MessageOf<'greeting'>,
  hello: MessageOf<'hello'>,
  secret: string | undefined,
  leaving: boolean,
): MessageOf<'welcome'> | MessageOf<'refused'> {
  const refused = (reason: string) => ({ kind: 'refused', reason }) as const;
  if (greeting.version !== FORMAT_VERSION)
    return refused(`version ${greeting.version}, this server speaks ${FORMAT_VERSION}`);
  if (secret === undefined) return { kind: 'welcome', flag: leaving };
  if (!greeting.proof) return refused('a secret is needed');
  if (!proves(secret, hello.nonce, 'client', greeting.proof)) return refused('wrong secret');
  return { kind: 'welcome', flag: leaving, proof: proof(secret, greeting.nonce, 'server') };
}
