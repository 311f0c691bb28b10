export { ChannelClient, type ChannelClientOptions } from './channel/client.ts';
export type { HistoryDeclaration } from './channel/declared.ts';
export type { Position, Recovery } from './channel/engine.ts';
export type { ChannelCallback, JobCallback } from './channel/reception.ts';
export { ChannelServer, type ChannelServerOptions } from './channel/server.ts';
export { AsyncTcpConnection, type ClientOptions } from './connections/client.ts';
export type { Context, SendResult } from './connections/connection.ts';
export { HttpConnection } from './connections/http.ts';
export { type CloseOptions, TcpConnection } from './connections/tcp.ts';
export { UdpConnection } from './connections/udp.ts';
export { type ErrorCode, LongshoreError, ProtocolError } from './errors.ts';
export { BusinessWorker, type BusinessWorkerOptions } from './gateway/business-worker.ts';
export { GatewayClient, type SendOptions } from './gateway/client.ts';
export type { GatewayClientOptions, Name } from './gateway/client-base.ts';
export type { Message } from './gateway/format.ts';
export { Gateway, type GatewayOptions } from './gateway/gateway.ts';
export { PushServer, type PushServerOptions } from './gateway/push-server.ts';
export type { BusinessClient } from './gateway/seats.ts';
export type { Session } from './gateway/session.ts';
export {
  GlobalDataClient,
  type GlobalDataClientOptions,
  type LifeOptions,
} from './globaldata/client.ts';
export type { Fsync } from './globaldata/journal.ts';
export { GlobalDataServer, type GlobalDataServerOptions } from './globaldata/server.ts';
export { Request } from './http/request.ts';
export { type CookieOptions, Response, type ResponseOptions } from './http/response.ts';
export { type FileHandler, type StaticOptions, staticFiles } from './http/static.ts';
export type { EventStream, HttpStream, ServerSentEvent } from './http/streams.ts';
export { frame } from './protocols/frame.ts';
export { type PackageFormat, packages } from './protocols/packages.ts';
export type { Decoder, Limits, Protocol } from './protocols/protocol.ts';
export { raw } from './protocols/raw.ts';
export { text } from './protocols/text.ts';
export { Timer } from './timer.ts';
export { WebServer } from './web-server.ts';
export { type RunOptions, Worker } from './worker.ts';
export type { WorkerOptions } from './worker-options.ts';
