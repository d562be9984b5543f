/** What an agent has: asked by its own protocol, where starting ssh-add would take longer than all the rest. */
import { createConnection } from 'node:net';

/** Of the protocol: asking for the keys, and the answer. @source draft-ietf-sshm-ssh-agent, "Requesting a list of keys" */
const request = Buffer.from([0, 0, 0, 1, 11]);
const answer = 12;
/** Milliseconds; and bytes, of an agent that is none. */
const patience = 1_000;
const longest = 256 * 1024;

/** @returns the agent's answer, in which each key's public half stands as it is; undefined where no agent answers */
export async function listKeys(socket: string): Promise<Buffer | undefined> {
  return await new Promise((resolve) => {
    const connection = createConnection(socket, () => connection.write(request));
    let read = Buffer.alloc(0);
    connection.setTimeout(patience, () => connection.destroy());
    connection.on('error', () => undefined);
    connection.on('close', () => {
      resolve(undefined);
    });
    connection.on('data', (chunk) => {
      read = Buffer.concat([read, chunk]);
      if (read.length < 5 || read.length < 4 + read.readUInt32BE()) {
        if (read.length > longest) connection.destroy();
        return;
      }
      resolve(read[4] === answer ? read : undefined);
      connection.destroy();
    });
  });
}
