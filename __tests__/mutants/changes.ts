/** Small faults that can be put into a source file: TypeScript by its syntax, shell by its lines. */
import ts from 'typescript';

export interface Change {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Names the fault: `=== becomes !==`. */
  readonly what: string;
}

type Found = Omit<Change, 'file' | 'line'>;

export function changesOf(file: string, source: string): Change[] {
  const found = file.endsWith('.ts') ? inTypeScript(file, source) : inShell(source);
  return found.map((change) => ({ file, line: source.slice(0, change.start).split('\n').length, ...change }));
}

export function changed(source: string, { start, end, text }: Change): string {
  return source.slice(0, start) + text + source.slice(end);
}

const operators: Partial<Record<ts.SyntaxKind, string>> = {
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: '!==',
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: '===',
  [ts.SyntaxKind.AmpersandAmpersandToken]: '||',
  [ts.SyntaxKind.BarBarToken]: '&&',
  [ts.SyntaxKind.QuestionQuestionToken]: '&&',
  [ts.SyntaxKind.LessThanToken]: '>=',
  [ts.SyntaxKind.LessThanEqualsToken]: '<',
  [ts.SyntaxKind.GreaterThanToken]: '<=',
  [ts.SyntaxKind.GreaterThanEqualsToken]: '>',
  [ts.SyntaxKind.PlusToken]: '-',
  [ts.SyntaxKind.MinusToken]: '+',
  [ts.SyntaxKind.AsteriskToken]: '/',
};

function inTypeScript(file: string, source: string): Found[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2023, true);
  const found: Found[] = [];
  const add = (node: ts.Node, text: string, what: string): void => {
    found.push({ start: node.getStart(tree), end: node.getEnd(), text, what });
  };
  const visit = (node: ts.Node): void => {
    // Types do not run, and a wrong import path cannot stay unnoticed.
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return;
    if (ts.isTypeAliasDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isBinaryExpression(node)) {
      const other = operators[node.operatorToken.kind];
      const text = node.operatorToken.getText(tree);
      if (other !== undefined) add(node.operatorToken, other, `${text} becomes ${other}`);
    }
    if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
      const condition = ts.isIfStatement(node) ? node.expression : node.condition;
      add(condition, `!(${condition.getText(tree)})`, 'the condition is turned round');
    }
    if (ts.isExpressionStatement(node)) add(node, ';', 'the statement is gone');
    if (ts.isReturnStatement(node) && node.expression !== undefined)
      add(node, 'return;', 'nothing is returned');
    if (ts.isNumericLiteral(node)) add(node, `(${node.text} + 1)`, 'one more');
    if (ts.isStringLiteral(node) && node.text !== '' && !ts.isCallExpression(node.parent)) {
      add(
        node,
        ts.isPropertyAssignment(node.parent) && node.parent.name === node ? `'x'` : `''`,
        'empty text',
      );
    }
    if (node.kind === ts.SyntaxKind.TrueKeyword) add(node, 'false', 'true becomes false');
    if (node.kind === ts.SyntaxKind.FalseKeyword) add(node, 'true', 'false becomes true');
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

const shellChanges: readonly (readonly [RegExp, string])[] = [
  [/&&/g, '||'],
  [/\|\|/g, '&&'],
  [/(?<=\[ )-n(?= )/g, '-z'],
  [/(?<=\[ )-z(?= )/g, '-n'],
  [/(?<= )!=(?= )/g, '='],
  [/(?<= )=(?= )/g, '!='],
  [/(?<=\breturn )1\b/g, '0'],
  [/(?<=\breturn )0\b/g, '1'],
  [/(?<=\bif )(?!!)/g, '! '],
];
/** A command or an assignment on a line of its own. */
const wholeCommand =
  /^\s+(?!(?:else|fi|done|esac|then|do|in|\}|;;|#|if|for|while|case|elif)\b)[a-z_][^;{}()\\]*$/i;

function inShell(source: string): Found[] {
  const found: Found[] = [];
  let at = 0;
  for (const line of source.split('\n')) {
    const start = at;
    at += line.length + 1;
    if (/^\s*(#|$)/.test(line)) continue;
    for (const [pattern, text] of shellChanges) {
      for (const match of line.matchAll(pattern)) {
        const from = start + match.index;
        found.push({ start: from, end: from + match[0].length, text, what: `${match[0]} becomes ${text}` });
      }
    }
    if (wholeCommand.test(line) && !/['"]$|^\s*['"]/.test(line.replace(/"[^"]*"|'[^']*'/g, ''))) {
      found.push({ start, end: start + line.length, text: ':', what: 'the command is gone' });
    }
  }
  return found;
}
