/**
 * The minimal program that connects to an instance through Session Manager: no SDK, StartSession, the WebSocket, the
 * handshake, TerminateSession. It uses explicit credentials and carries no bytes. `session INSTANCE [USER]`: with
 * a user it also makes and pushes a key, at the same time.
 */
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { callJson, setting, sign } from './signed-request.ts';

const region = setting('AWS_REGION');
const credentials = {
  accessKeyId: setting('AWS_ACCESS_KEY_ID'),
  secretAccessKey: setting('AWS_SECRET_ACCESS_KEY'),
  sessionToken: setting('AWS_SESSION_TOKEN'),
};
const ssm = { service: 'ssm', api: 'AmazonSSM' };
const instanceConnect = { service: 'ec2-instance-connect', api: 'AWSEC2InstanceConnectService' };

async function call(
  { service, api }: typeof ssm,
  operation: string,
  input: object,
): Promise<Record<string, string>> {
  const endpoint = setting('AWS_ENDPOINT_URL');
  return await callJson({ service, target: `${api}.${operation}`, endpoint, input, region, credentials });
}

function frame(type: string, payload: Buffer, { sequence = 0, flags = 0, kind = 0 }): Buffer {
  const head = Buffer.alloc(120);
  head.writeUInt32BE(116);
  head.write(type.padEnd(32), 4);
  head.writeUInt32BE(1, 36);
  head.writeBigUInt64BE(BigInt(Date.now()), 40);
  head.writeBigInt64BE(BigInt(sequence), 48);
  head.writeBigUInt64BE(BigInt(flags), 56);
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
  id.copy(head, 64, 8, 16);
  id.copy(head, 72, 0, 8);
  createHash('sha256').update(payload).digest().copy(head, 80);
  head.writeUInt32BE(kind, 112);
  head.writeUInt32BE(payload.length, 116);
  return Buffer.concat([head, payload]);
}

/** An Ed25519 key as a line of authorized_keys. */
function makePublicKey(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const head = Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1');
  return `ssh-ed25519 ${Buffer.concat([head, Buffer.from(x, 'base64url')]).toString('base64')}`;
}

const [InstanceId, InstanceOSUser] = process.argv.slice(2);
const pushing =
  InstanceOSUser === undefined
    ? undefined
    : call(instanceConnect, 'SendSSHPublicKey', {
        InstanceId,
        InstanceOSUser,
        SSHPublicKey: makePublicKey(),
      });
const session = await call(ssm, 'StartSession', {
  Target: InstanceId,
  DocumentName: 'AWS-StartSSHSession',
  Parameters: { portNumber: ['22'] },
});
const url = new URL(session['StreamUrl'] ?? '');
const socket = new WebSocket(url, {
  headers: sign(url, { service: 'ssmmessages', region, credentials }),
  perMessageDeflate: false,
});
const version = '1.2.764.0';
socket.on('open', () => {
  const ids = { RequestId: randomUUID(), ClientId: randomUUID() };
  const first = { MessageSchemaVersion: '1.0', TokenValue: session['TokenValue'], ClientVersion: version };
  socket.send(JSON.stringify({ ...first, ...ids }));
});
await new Promise<void>((resolve, reject) => {
  socket.on('error', reject);
  socket.on('close', (code, reason) => {
    reject(new Error(`closed: ${code} ${reason.toString()}`));
  });
  socket.on('message', (data: Buffer) => {
    const type = data.toString('latin1', 4, 36).trimEnd();
    if (type !== 'output_stream_data') return;
    const sequence = Number(data.readBigInt64BE(48));
    const id = data.toString('hex', 72, 80) + data.toString('hex', 64, 72);
    const acknowledgement = {
      AcknowledgedMessageType: type,
      AcknowledgedMessageId: id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
      AcknowledgedMessageSequenceNumber: sequence,
      IsSequentialMessage: true,
    };
    socket.send(frame('acknowledge', Buffer.from(JSON.stringify(acknowledgement)), { flags: 3 }));
    const kind = data.readUInt32BE(112);
    if (kind === 5) {
      const actions = [{ ActionType: 'SessionType', ActionStatus: 1, ActionResult: null, Error: '' }];
      const answer = { ClientVersion: version, ProcessedClientActions: actions, Errors: [] };
      socket.send(frame('input_stream_data', Buffer.from(JSON.stringify(answer)), { kind: 6 }));
    }
    if (kind === 7) resolve();
  });
});
await pushing;
socket.terminate();
await call(ssm, 'TerminateSession', { SessionId: session['SessionId'] });
