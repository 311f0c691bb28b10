// The chat's clients only, for a cluster: see manifests/samples/chat.yaml.
import { Worker } from 'longshore';
import './edge.ts';

await Worker.runAll();
