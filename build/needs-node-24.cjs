// npm's scripts load this first: they run TypeScript as it is, which Node before 22.18 cannot. The Node that they use is that
// of the `node` package, which an install script puts in place: not after `npm ci --ignore-scripts`.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`this is Node ${process.versions.node}, and the scripts of this project need Node 24, which npm ci
brings along unless install scripts are switched off. Put it in place, and run this again:

  npm rebuild node --ignore-scripts=false
`);
  process.exit(1);
}
