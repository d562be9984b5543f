/** Makes V8 compile the modules of a bundle when it reads the bundle. Pure. */
import ts from 'typescript';

/**
 * V8 reads a function twice, once to skip it and once when it is called, unless it stands in parentheses. A bundle has a
 * function for each module, and nearly all of them are called at once. webpack writes parentheses; minifiers remove them.
 */
export function compileModulesAtOnce(code: string): string {
  const file = ts.createSourceFile('bundle.js', code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const parts: string[] = [];
  let written = 0;
  const visit = (node: ts.Node): void => {
    if (!isModule(node)) {
      ts.forEachChild(node, visit);
      return;
    }
    const { initializer } = node;
    parts.push(code.slice(written, initializer.getStart(file)), '(', initializer.getText(file), ')');
    written = initializer.getEnd();
  };
  visit(file);
  return [...parts, code.slice(written)].join('');
}

/** `93129:(e,t,r)=>{…}` */
function isModule(node: ts.Node): node is ts.PropertyAssignment {
  return (
    ts.isPropertyAssignment(node) &&
    ts.isNumericLiteral(node.name) &&
    (ts.isArrowFunction(node.initializer) || ts.isFunctionExpression(node.initializer))
  );
}
