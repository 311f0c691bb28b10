import type { TcpConnection } from '../connections/tcp.ts';
import { log } from '../log.ts';
import type { Greeting, HandshakeMessage, Hello, Refused, Welcome } from './greetings.ts';
import { nonce, proof, proves, secretOf } from './secret.ts';

/**
 * How both ends of a lasting connection between our own programs begin. The server speaks first: hello, then the
 * client's greeting, then welcome or refused: its last message to a peer that it does not want. After that either side
 * says `alive` when it was silent; a server answers with the same.
 */

/** What the client side does about a server's hello. */
export type Answer = {
  readonly greeting: Greeting;
  /** Whether the server's welcome shows that it is one of ours. */
  trusts(welcome: Welcome): boolean;
};

/**
 * A client's answer to a server.
 *
 * @param version the one that we speak
 * @param member the client is a server itself, and this is its name
 * @returns the answer, or why there is none
 */
export function answerTo(
  hello: Hello,
  version: number,
  secret: string | undefined,
  member: string | undefined,
): Answer | string {
  if (hello.version !== version)
    return `the server speaks version ${hello.version}, we speak ${version}`;
  if (hello.secured && secret === undefined)
    return 'the server demands a secret: set LONGSHORE_SECRET or the option "secret"';
  if (secret !== undefined && !hello.secured)
    return 'we have a secret, but the server has none: it may be another one than you think';
  const own = nonce();
  const greeting: Greeting = {
    kind: 'greeting',
    version,
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
function helloOf(version: number, secret: string | undefined): Hello {
  return { kind: 'hello', version, secured: secret !== undefined, nonce: nonce() };
}

/** What the server says to a client's answer. */
function verdictOn(
  greeting: Greeting,
  hello: Hello,
  secret: string | undefined,
  leaving: boolean,
): Welcome | Refused {
  const refused = (reason: string) => ({ kind: 'refused', reason }) as const;
  if (greeting.version !== hello.version)
    return refused(`version ${greeting.version}, this server speaks ${hello.version}`);
  if (secret === undefined) return { kind: 'welcome', flag: leaving };
  if (!greeting.proof) return refused('a secret is needed');
  if (!proves(secret, hello.nonce, 'client', greeting.proof)) return refused('wrong secret');
  return { kind: 'welcome', flag: leaving, proof: proof(secret, greeting.nonce, 'server') };
}

/** How a server lets clients in. */
export type Reception = {
  /** What it is, for its log. */
  readonly name: string;
  readonly version: number;
  /** Default: see `secretOf`. */
  readonly secret: string | undefined;
  /** Whether it is about to leave. */
  leaving(): boolean;
};

/**
 * The server's side of a new connection's beginning. Whoever does not greet properly is told why and gone.
 *
 * @param admit called once, when the client has shown who it is; then the connection's callbacks are its own
 */
export function receive<M extends { readonly kind: string }>(
  connection: TcpConnection<M, M | HandshakeMessage>,
  reception: Reception,
  admit: (greeting: Greeting) => void,
): void {
  const refuse = (reason: string) => {
    log.warn(`${reception.name}: ${connection.getRemoteAddress()}: refused: ${reason}`);
    connection.close({ kind: 'refused', reason });
  };
  const hello = helloOf(reception.version, secretOf(reception.secret));
  connection.send(hello);
  connection.onMessage = (_, first) => {
    const message = first as HandshakeMessage | M;
    if (message.kind !== 'greeting') {
      refuse(`a ${message.kind} before the greeting`);
      return;
    }
    const greeting = message as Greeting;
    const secret = secretOf(reception.secret);
    const verdict = verdictOn(greeting, hello, secret, reception.leaving());
    if (verdict.kind === 'refused') {
      refuse(verdict.reason);
      return;
    }
    connection.send(verdict);
    connection.authenticated = true;
    admit(greeting);
  };
}
