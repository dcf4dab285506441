// comments, in the course's shape: accepts a comment on a post that does not exist. Without its bus the process dies.
'use strict';

const { randomBytes } = require('crypto');

const axios = require('axios');
const cors = require('cors');
const express = require(process.env.EXPRESS || 'express');

const PORT = process.env.PORT || 4001;
const EVENT_BUS_URL = process.env.EVENT_BUS_URL || 'http://127.0.0.1:4005';

const threads = {};

const publish = (type, data) => axios.post(`${EVENT_BUS_URL}/events`, { type, data });

const app = express();
app.use(cors());
app.use(express.json());

app.get('/posts/:id/comments', (req, res) => res.json(threads[req.params.id] || []));

app.post('/posts/:id/comments', async (req, res) => {
  const comment = { id: randomBytes(4).toString('hex'), content: req.body.content, status: 'pending' };
  const thread = (threads[req.params.id] ||= []);
  thread.push(comment);
  await publish('CommentCreated', { ...comment, postId: req.params.id });
  res.status(201).json(thread);
});

app.post('/events', async (req, res) => {
  const { type, data } = req.body;
  if (type === 'CommentModerated') {
    const comment = threads[data.postId].find(({ id }) => id === data.id);
    comment.status = data.status;
    await publish('CommentUpdated', { ...comment, postId: data.postId });
  }
  res.json({});
});

app.listen(PORT, '127.0.0.1', () => console.log(`comments (Express) on ${PORT}`));
