// Which products come back most often, from the same twelve files and what the Python program left in the knowledge graph.
import * as fs from 'servers/fs';
import * as memory from 'servers/memory';
import * as tta from 'tta';

interface Order {
  product: string;
  returned: boolean;
}

const { folder } = tta.inputs as { folder: string };
const months = Array.from({ length: 12 }, (_, month) => `2026-${String(month + 1).padStart(2, '0')}`);
const [graph, ...answers] = await Promise.all([
  memory.read_graph(),
  ...months.map((month) => fs.read_text_file({ path: `${folder}/orders/${month}.csv` })),
]);

const orders: Order[] = answers
  .flatMap(({ content }) => content.trim().split('\n').slice(1))
  .map((line: string) => {
    const [, , product, , returned] = line.split(',');
    return { product, returned: returned === 'yes' };
  });

const rate = (product: string): number => {
  const sold = orders.filter((order) => order.product === product);
  return sold.filter((order) => order.returned).length / sold.length;
};
const products = [...new Set(orders.map(({ product }) => product))].sort((a, b) => rate(b) - rate(a));

export default {
  orders: orders.length,
  returned_most: products.slice(0, 3).map((product) => `${product} ${(100 * rate(product)).toFixed(1)} %`),
  known: graph.entities.map(({ name }) => name),
};
