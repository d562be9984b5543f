/** Limits parallel work that needs file descriptors: a process may have only 256 (macOS) or 1,024 of them. */

/** Items in progress at the same time. An item that hangs delays only the items of its own lane. */
const lanes = 16;

/** The results are in the order of the items. */
export async function inLanes<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
