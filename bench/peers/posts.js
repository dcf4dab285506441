// posts, in the course's shape: stores a post, then publishes it. Without its bus the process dies.
'use strict';

const { randomBytes } = require('crypto');

const axios = require('axios');
const cors = require('cors');
const express = require(process.env.EXPRESS || 'express');

const PORT = process.env.PORT || 4000;
const EVENT_BUS_URL = process.env.EVENT_BUS_URL || 'http://127.0.0.1:4005';

const posts = {};

const app = express();
app.use(cors());
app.use(express.json());

app.get('/posts', (req, res) => res.json(posts));

// The second path is for the Ingress, which cannot route by method.
app.post(['/posts', '/posts/create'], async (req, res) => {
  const post = { id: randomBytes(4).toString('hex'), title: req.body.title };
  posts[post.id] = post;
  await axios.post(`${EVENT_BUS_URL}/events`, { type: 'PostCreated', data: post });
  res.status(201).json(post);
});

app.post('/events', (req, res) => res.json({}));

app.listen(PORT, '127.0.0.1', () => console.log(`posts (Express) on ${PORT}`));
