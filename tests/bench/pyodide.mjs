// Starts pyodide in this process, evaluates one expression, prints the value. What a JavaScript host pays per fresh run.
import { loadPyodide } from 'pyodide';

const python = await loadPyodide();
console.log(python.runPython('1+1'));
