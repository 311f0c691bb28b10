import type { HttpConnection } from './connections/http.ts';
import type { TcpConnection } from './connections/tcp.ts';
import type { UdpConnection } from './connections/udp.ts';
import type { Request } from './http/request.ts';
import type { Response } from './http/response.ts';
import type { Protocol } from './protocols/protocol.ts';

/** What `onMessage` gets, by the scheme of the Worker's address. */
export interface SchemeMessages {
  tcp: Buffer;
  unix: Buffer;
  udp: Buffer;
  text: string;
  frame: Buffer;
  websocket: string | Buffer;
  http: Request;
}

/** What `send` takes, by the scheme. */
export interface SchemeAnswers {
  tcp: string | Uint8Array;
  unix: string | Uint8Array;
  udp: string | Uint8Array;
  text: string;
  frame: string | Uint8Array;
  websocket: string | Uint8Array;
  http: Response | string | Uint8Array;
}

// biome-ignore lint/suspicious/noExplicitAny: stands for every protocol
export type AnyProtocol = Protocol<any, any>;

type SchemeOf<A extends string> = A extends `${infer S}://${string}` ? Lowercase<S> : string;

/** The message type of a Worker: its own protocol's, else its scheme's; `any` where the address is no literal. */
export type MessageOf<A extends string, P> =
  P extends Protocol<infer In, infer _>
    ? In
    : SchemeOf<A> extends keyof SchemeMessages
      ? SchemeMessages[SchemeOf<A>]
      : // biome-ignore lint/suspicious/noExplicitAny: an address that is not known when compiling
        any;

type AnswerOf<A extends string, P> =
  P extends Protocol<infer _, infer Out>
    ? Out
    : SchemeOf<A> extends keyof SchemeAnswers
      ? SchemeAnswers[SchemeOf<A>]
      : // biome-ignore lint/suspicious/noExplicitAny: as above
        any;

/** The connection type of a Worker. */
export type ConnectionOf<A extends string, P> = string extends A
  ? P extends AnyProtocol
    ? TcpConnection<MessageOf<A, P>, AnswerOf<A, P>>
    : // biome-ignore lint/suspicious/noExplicitAny: an address that is not known when compiling
      any
  : SchemeOf<A> extends 'http'
    ? HttpConnection
    : SchemeOf<A> extends 'udp'
      ? UdpConnection
      : TcpConnection<MessageOf<A, P>, AnswerOf<A, P>>;
