/**
 * The minimal program that connects to an instance through Session Manager: no SDK, StartSession, the WebSocket, the
 * handshake, TerminateSession. It uses explicit credentials and carries no bytes. `bare-session INSTANCE [USER]`: with
 * a user it also makes and pushes a key, at the same time.
 */
import { createHash, createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { request, type RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';

const setting = (name: string): string => process.env[name] ?? '';
const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
const region = setting('AWS_REGION');

interface Signing {
  readonly service: string;
  readonly more?: Record<string, string>;
  readonly body?: string;
}

/** AWS Signature Version 4, as headers. */
function sign(url: URL, { service, more = {}, body = '' }: Signing): Record<string, string> {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const headers: Record<string, string> = { ...more, host: url.host, 'x-amz-date': time };
  if (setting('AWS_SESSION_TOKEN')) headers['x-amz-security-token'] = setting('AWS_SESSION_TOKEN');
  const names = Object.keys(headers).sort();
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
  const canonical = [
    body ? 'POST' : 'GET',
    ...[url.pathname, query],
    ...names.map((name) => `${name}:${headers[name] ?? ''}`),
    ...['', names.join(';'), sha256(body).toString('hex')],
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${setting('AWS_SECRET_ACCESS_KEY')}`);
  const signed = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical).toString('hex')}`;
  const credential = `Credential=${setting('AWS_ACCESS_KEY_ID')}/${scope}`;
  const signature = hmac(key, signed).toString('hex');
  headers['authorization'] =
    `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return headers;
}

const ssm = { service: 'ssm', api: 'AmazonSSM' };
const instanceConnect = { service: 'ec2-instance-connect', api: 'AWSEC2InstanceConnectService' };

async function call(
  { service, api }: typeof ssm,
  operation: string,
  input: object,
): Promise<Record<string, string>> {
  const url = new URL(setting('AWS_ENDPOINT_URL'));
  const body = JSON.stringify(input);
  const more = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${api}.${operation}` };
  const headers = sign(url, { service, more, body });
  const options: RequestOptions = { method: 'POST', headers };
  const answer = await new Promise<string>((resolve, reject) => {
    request(url, options, (response) => {
      resolve(text(response));
    })
      .on('error', reject)
      .end(body);
  });
  return JSON.parse(answer) as Record<string, string>;
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
  sha256(payload).copy(head, 80);
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
  headers: sign(url, { service: 'ssmmessages' }),
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
