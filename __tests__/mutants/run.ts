/** `npm run test:mutants`: a sample with a seed (sample/run.ts), or all mutants of the pure files (pure/run.ts). */
const [first, ...rest] = process.argv.slice(2);
if (first === 'pure') {
  const { runPure } = await import('./pure/run.ts');
  await runPure(rest);
} else {
  const { runSample } = await import('./sample/run.ts');
  await runSample(process.argv.slice(2));
}
export {};
