/** The `ssh2` package's server, for machines without sshd: the same decisions, and sshd's messages in the journal. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import type { AuthContext, Connection, PublicKeyAuthContext, ServerChannel, Session } from 'ssh2';
import { fingerprintOf } from '../ssh-keys.ts';
import { address, maxAuthTries } from './server.ts';
import type { ServerSetup, SshServer } from './server.ts';

const user = 'git';

/** One client's connection: its address, and its proven key. */
interface Client {
  readonly connection: Connection;
  readonly port: number;
  failures: number;
  fingerprint?: string;
}

export async function startSsh2Server(setup: ServerSetup): Promise<SshServer> {
  const connections = new Set<Connection>();
  const hostKeys = setup.hostKeys.map(({ privateKey }) => privateKey);
  const server = new ssh2.Server({ hostKeys }, (connection, { port }) => {
    connections.add(connection);
    const client: Client = { connection, port, failures: 0 };
    note(setup, `Connection from ${address} port ${port}`);
    connection.on('authentication', (context) => {
      authenticate(setup, client, context);
    });
    connection.on('session', (accept) => {
      serve(setup, client, accept());
    });
    // A client may disconnect during the handshake.
    connection.on('error', () => undefined);
    connection.on('close', () => {
      connections.delete(connection);
      note(setup, `Connection closed by ${address} port ${port}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the ssh2 server has no port');
  return {
    name: 'ssh2',
    port: bound.port,
    user,
    stop: async () => {
      const closed = new Promise<void>((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
      for (const connection of connections) connection.end();
      await closed;
    },
  };
}

const note = ({ journal }: ServerSetup, line: string): void => {
  appendFileSync(journal, `${line}\n`);
};

function authenticate(setup: ServerSetup, client: Client, context: AuthContext): void {
  if (context.method !== 'publickey') {
    context.reject(['publickey']);
    return;
  }
  const { algo, data } = context.key;
  const fingerprint = fingerprintOf(`${algo} ${data.toString('base64')}`);
  const said = `publickey for ${context.username} from ${address} port ${client.port} ssh2: ${algo} ${fingerprint}`;
  if (context.username !== user || !setup.grants.argumentsFor(fingerprint)) {
    note(setup, `Failed ${said}`);
    client.failures += 1;
    // At the limit sshd disconnects without an answer, and never sees the following keys.
    if (client.failures < maxAuthTries) context.reject(['publickey']);
    else client.connection.end();
    return;
  }
  if (context.signature === undefined) {
    note(setup, `Accepted key ${algo} ${fingerprint} found at ${setup.grants.authorizedKeysFile}`);
    note(setup, `Postponed publickey for ${user} from ${address} port ${client.port} ssh2`);
    context.accept();
    return;
  }
  if (!isSignedBy(data, context)) {
    note(setup, `Failed ${said}`);
    context.reject(['publickey']);
    return;
  }
  client.fingerprint = fingerprint;
  note(setup, `Accepted ${said}`);
  context.accept();
}

/** ssh2 may answer with an Error, which is truthy; its types do not say so. */
function isSignedBy(publicKey: Buffer, { blob, signature, hashAlgo }: PublicKeyAuthContext): boolean {
  const key = ssh2.utils.parseKey(publicKey);
  if (key instanceof Error || blob === undefined || signature === undefined) return false;
  const verified: unknown = key.verify(blob, signature, hashAlgo);
  return verified === true;
}

function serve(setup: ServerSetup, client: Client, session: Session): void {
  const environment: Record<string, string> = {};
  session.on('env', (accept, reject, { key, val }) => {
    if (key === 'GIT_PROTOCOL') environment[key] = val;
    // `ssh -o SendEnv` wants no answer, and then there is no function to call.
    const answer =
      key === 'GIT_PROTOCOL' ? (accept as (() => void) | undefined) : (reject as (() => void) | undefined);
    answer?.();
  });
  session.on('exec', (accept, _reject, { command }) => {
    run(setup, client, { channel: accept(), command, environment });
  });
  session.on('shell', (accept) => {
    run(setup, client, { channel: accept(), command: '', environment });
  });
}

interface Request {
  readonly channel: ServerChannel;
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs the forced command like sshd, with its standard streams on the channel. */
function run(setup: ServerSetup, client: Client, { channel, command, environment }: Request): void {
  const child = spawn(
    setup.program,
    setup.grants.argumentsFor(client.fingerprint ?? '') ?? ['/dev/null', '-'],
    {
      env: {
        ...environment,
        PATH: process.env['PATH'] ?? '',
        SSH_CONNECTION: `${address} ${client.port} ${address} 0`,
        SSH_ORIGINAL_COMMAND: command,
      },
    },
  );
  channel.pipe(child.stdin);
  // git stops reading when it has everything.
  child.stdin.on('error', () => undefined);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.once('close', (code) => {
    channel.exit(code ?? 255);
    channel.end();
  });
  channel.once('close', () => child.kill());
}
