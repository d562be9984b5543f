/**
 * The host's log: the messages of sshd (the ssh2 server writes the same) and of the forced command, combined by
 * connection.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export type Verdict =
  | 'allowed'
  | 'not-found'
  | 'read-only'
  | 'no-shell'
  | 'invalid-command'
  /** All offered keys were refused. */
  | 'permission-denied'
  /** Ended before a session: a key scan, a refused host key, an agent that refused to sign. */
  | 'no-session';

export interface LogEntry {
  /** Fingerprints in the order of the client's offers; the accepted one is the last. */
  readonly offered: readonly string[];
  readonly accepted?: string;
  readonly command?: string;
  readonly verdict: Verdict;
}

interface Connection {
  readonly offered: string[];
  accepted?: string;
  /** A key that would be accepted: the client asked, and has not signed yet. */
  probed?: string;
  readonly sessions: { readonly command: string; readonly verdict: Verdict }[];
  open: boolean;
}

/** One entry for each session, and for each connection without a session, in order of connection. */
export async function readJournal(file: string): Promise<LogEntry[]> {
  // sshd's monitor may write a line just after the client has gone; a multiplexed connection stays open.
  const patience = Date.now() + 1000;
  let connections = parseJournal(readFileSync(file, 'utf8'));
  while (connections.some(({ open }) => open) && Date.now() < patience) {
    await sleep(10);
    connections = parseJournal(readFileSync(file, 'utf8'));
  }
  return connections.flatMap(entriesOf);
}

function parseJournal(text: string): Connection[] {
  const connections: Connection[] = [];
  // Ports are reused, so a line belongs to the latest connection of its port.
  const byPort = new Map<string, Connection>();
  let lastFound: string | undefined;
  for (const line of text.split('\n')) {
    const found = /^Accepted key \S+ (SHA256:\S+) found at/.exec(line);
    if (found) lastFound = found[1];
    const port = /\bport (\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    if (line.startsWith('Connection from ')) {
      const opened: Connection = { offered: [], sessions: [], open: true };
      connections.push(opened);
      byPort.set(port, opened);
    }
    const connection = byPort.get(port);
    if (connection) apply(connection, line, lastFound);
  }
  return connections;
}

function apply(connection: Connection, line: string, lastFound: string | undefined): void {
  const key = /^(Failed|Accepted) publickey for .* ssh2: \S+ (SHA256:\S+)/.exec(line);
  const session = /^Session from port \d+ with \S+: (\S+): (.*)$/.exec(line);
  if (key?.[2] !== undefined) {
    connection.offered.push(key[2]);
    if (key[1] === 'Accepted') connection.accepted = key[2];
  } else if (line.startsWith('Postponed publickey') && lastFound !== undefined) {
    connection.probed = lastFound;
  } else if (session?.[2] !== undefined) {
    connection.sessions.push({ verdict: session[1] as Verdict, command: session[2] });
  } else if (/^(Connection (closed|reset) by|Disconnect(ed|ing)|Unable to negotiate|fatal:)/.test(line)) {
    connection.open = false;
  }
}

function entriesOf({ offered, accepted, probed, sessions }: Connection): LogEntry[] {
  const unsigned = accepted === undefined && probed !== undefined;
  const keys = {
    offered: unsigned ? [...offered, probed] : offered,
    ...(accepted === undefined ? {} : { accepted }),
  };
  if (sessions.length > 0) return sessions.map((session) => ({ ...keys, ...session }));
  const denied = accepted === undefined && !unsigned && offered.length > 0;
  return [{ ...keys, verdict: denied ? 'permission-denied' : 'no-session' }];
}
