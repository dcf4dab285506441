// query, in the course's shape: posts with their comments, in memory. An event that is delivered twice shows twice.
'use strict';

const axios = require('axios');
const cors = require('cors');
const express = require(process.env.EXPRESS || 'express');

const PORT = process.env.PORT || 4002;
const EVENT_BUS_URL = process.env.EVENT_BUS_URL || 'http://127.0.0.1:4005';

const posts = {};

const handlers = {
  PostCreated(post) {
    posts[post.id] = { id: post.id, title: post.title, comments: [] };
  },
  CommentCreated({ id, content, status, postId }) {
    posts[postId].comments.push({ id, content, status });
  },
  CommentUpdated({ id, content, status, postId }) {
    Object.assign(posts[postId].comments.find((comment) => comment.id === id), { content, status });
  },
};

function handle({ type, data }) {
  handlers[type]?.(data);
}

async function catchUp() {
  const { data: events } = await axios.get(`${EVENT_BUS_URL}/events`);
  events.forEach(handle);
}

const app = express();
app.use(cors());
app.use(express.json());

app.get('/posts', (req, res) => res.json(posts));

app.post('/events', (req, res) => {
  handle(req.body);
  res.json({});
});

app.listen(PORT, '127.0.0.1', () => {
  console.log(`query (Express) on ${PORT}`);
  catchUp().catch((error) => console.log(error.message));
});
