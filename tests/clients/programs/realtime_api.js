// bitmex-realtime-api, BitMEX's own client for node: a market's tables, all markets', and an account's.
const BitMEXClient = require('bitmex-realtime-api');

const where = JSON.parse(process.argv[process.argv.length - 1]);
const taken = {};
const wanted = new Set();
const http = where.url.replace(/\/$/, '');

function report() {
  console.log('\n' + JSON.stringify({report: taken}));
  process.exit(0);
}

const client = new BitMEXClient({
  endpoint: 'ws://' + where.host + '/realtime', httpEndpoint: http, apiKeyID: where.key, apiKeySecret: where.secret, maxTableLen: 1000,
});
const errors = [];
client.on('error', (error) => errors.push(String(error)));
client.on('end', () => errors.push('the socket ended'));

// A step is done when a stream has shown something that `found` makes true of.
function stream(name, symbol, table, found) {
  wanted.add(name);
  client.addStream(symbol, table, (rows) => {
    const value = found(rows);
    if (!value || name in taken) return;
    taken[name] = {value};
    wanted.delete(name);
    if (!wanted.size) finish();
  });
}

function finish() {
  taken.errors = {value: errors};
  taken.kept = {value: Object.keys(client.getSymbol('XBTUSD')).sort()};
  report();
}

stream('instrument', 'XBTUSD', 'instrument', (rows) => rows[0] && rows[0].markPrice);
stream('quote', 'XBTUSD', 'quote', (rows) => rows.length > 3 && rows[rows.length - 1].bidPrice);
stream('trade', 'XBTUSD', 'trade', (rows) => rows.length > 3 && rows[rows.length - 1].price);
stream('orderBook10', 'XBTUSD', 'orderBook10', (rows) => rows[0] && rows[0].bids.length);
stream('orderBookL2_25', 'XBTUSD', 'orderBookL2_25', (rows) => rows.length);
stream('margin', '*', 'margin', (rows) => rows[0] && rows[0].walletBalance);
stream('wallet', '*', 'wallet', (rows) => rows[0] && rows[0].currency);
stream('order', 'XBTUSD', 'order', (rows) => ({rows: rows.length}));
stream('position', 'XBTUSD', 'position', (rows) => ({rows: rows.length}));
stream('every quote', '*', 'quoteBin1m', (rows) => rows.length && rows[0].symbol);

setTimeout(() => {
  for (const name of wanted) taken[name] = {error: 'nothing came; errors: ' + JSON.stringify(errors)};
  report();
}, 90000);
