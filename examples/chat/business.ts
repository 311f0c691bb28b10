// The chat's rooms only, for a cluster: see manifests/samples/chat.yaml. They find the gateways by `gatewayRef`, or
// anywhere else by LONGSHORE_GATEWAYS.
import { Worker } from 'longshore';
import './rooms.ts';

await Worker.runAll();
