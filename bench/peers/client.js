// The page, in the course's shape: it fetches the posts once, when it opens, and shows no errors.
'use strict';

const express = require(process.env.EXPRESS || 'express');

const PORT = process.env.PORT || 3000;
const services = {
  posts: process.env.POSTS_URL || 'http://localhost:4000',
  comments: process.env.COMMENTS_URL || 'http://localhost:4001',
  query: process.env.QUERY_URL || 'http://localhost:4002',
};

const app = express();

app.get('/', (req, res) => res.sendFile('client.html', { root: __dirname }));
app.get('/services.js', (req, res) => res.type('js').send(`const services = ${JSON.stringify(services)};`));

app.listen(PORT, '127.0.0.1', () => console.log(`client (Express) on ${PORT}`));
