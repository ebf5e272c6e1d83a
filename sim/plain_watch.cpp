#include "sim/plain_watch.h"

namespace statefs::sim {

std::size_t PlainWatch::arrived(NodeId server, std::uint32_t uid) {
  const Lines& lines = lines_.emplace_back();
  SpokenConnection connection;
  connection.responder = server;
  connection.uid = uid;
  connection.made = place();
  connection.made_time = schedule_->now();
  connection.requests = &lines.requests;
  connection.answers = &lines.answers;
  connections_.push_back(connection);
  return connections_.size() - 1;
}

void PlainWatch::heard(std::size_t connection, ByteView bytes) {
  SpokenLine& line = lines_[connection].requests;
  line.text.insert(line.text.end(), bytes.begin(), bytes.end());
  line.parts.push_back({line.text.size(), place(), schedule_->now(), place(), schedule_->now()});
  ++line.opened_count;
}

void PlainWatch::said(std::size_t connection, ByteView bytes) {
  SpokenLine& line = lines_[connection].answers;
  line.text.insert(line.text.end(), bytes.begin(), bytes.end());
  line.parts.push_back({line.text.size(), place(), schedule_->now(), no_place, {}});
}

}  // namespace statefs::sim
