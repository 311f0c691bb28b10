/** How an application of `Crowd` is deployed. */
export type Deployed = {
  /** Each of its processes says it when it starts, as `version one`. */
  readonly version: string;
  /** Processes, where the program says it. */
  readonly count?: number;
};

/**
 * The application that a `Crowd` talks through: hands each message to the partner, now by uid, now by group, some of them
 * late. It checks that no message of a client was left out or came early, and says so to the client, which does not
 * expect that, and in its output; there it also says of which client a connection was closed.
 */
export const pairs = ({ version, count }: Deployed): string => `
  import { setTimeout as sleep } from 'node:timers/promises';
  import { BusinessWorker, Worker } from 'longshore';
  const business = new BusinessWorker(${JSON.stringify({ name: 'business', count })});
  const { gateway } = business;
  business.onWorkerStart = () => console.log('version ${version}');
  business.onWebSocketConnect = (client, request) => {
    const uid = Number(request.query.get('uid'));
    gateway.bindUid(client.id, uid);
    gateway.joinGroup(client.id, 'pair ' + (uid >> 1));
    client.session.uid = uid;
    client.session.last = 0;
    client.send('ready');
  };
  business.onMessage = async (client, message) => {
    const number = Number(message.split(' ')[0]);
    const { uid, last } = client.session;
    if (last !== number - 1) {
      console.log('WRONG ' + last + ' before ' + number);
      client.send('WRONG ' + last + ' before ' + number);
    }
    client.session.last = number;
    if (number % 3 === 0) await sleep(number % 7);
    if (number % 2) gateway.sendToUid(uid ^ 1, message);
    else gateway.sendToGroup('pair ' + (uid >> 1), message, { exclude: client.id });
  };
  business.onClose = (client) => console.log('CLOSED ' + client.session.uid);
  await Worker.runAll();
`;
