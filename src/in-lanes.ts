/** Things that each take a file descriptor, of which a process may have as few as 256 (macOS) or 1,024. */

/** How many are under way at once. One that hangs holds up none but those of its lane. */
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
