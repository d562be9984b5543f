/** Connects standard input and output to port 22 of an instance through Session Manager, like a ProxyCommand. */
import { pipeline } from 'node:stream/promises';
import { openConnection } from '../src/aws/connection.ts';
import { openSessionTunnel } from '../src/ec2/session-manager/tunnel.ts';

const [, , instanceId = '', region = ''] = process.argv;
const connection = openConnection({ env: {}, maxAttempts: 3 });
const { signal } = new AbortController();
const tunnel = await openSessionTunnel({ instanceId, port: 22 }, { region, connection, signal });
await pipeline(process.stdin, tunnel.stream, process.stdout);
await tunnel.close();
connection.requestHandler.destroy();
