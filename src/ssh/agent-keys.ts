/** Whether an agent has a key: asked by its own protocol, where starting ssh-add would take longer than all the rest. */
import { createConnection } from 'node:net';

/** Of the protocol: asking for the keys, and the answer. @source draft-ietf-sshm-ssh-agent, "Requesting a list of keys" */
const request = Buffer.from([0, 0, 0, 1, 11]);
const answer = 12;
/** Milliseconds; and bytes, of an agent that is none. */
const patience = 1_000;
const longest = 256 * 1024;

/** @returns false as well where no agent answers */
export async function agentHas(socket: string, { blob }: { readonly blob: Buffer }): Promise<boolean> {
  return await new Promise((resolve) => {
    const connection = createConnection(socket, () => connection.write(request));
    let read = Buffer.alloc(0);
    connection.setTimeout(patience, () => connection.destroy());
    connection.on('error', () => undefined);
    connection.on('close', () => {
      resolve(false);
    });
    connection.on('data', (chunk) => {
      read = Buffer.concat([read, chunk]);
      if (read.length < 5 || read.length < 4 + read.readUInt32BE()) {
        if (read.length > longest) connection.destroy();
        return;
      }
      resolve(read[4] === answer && read.includes(blob));
      connection.destroy();
    });
  });
}
