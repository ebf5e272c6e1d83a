#include "os/disk_thread.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <memory>

namespace statefs {

Result<std::unique_ptr<DiskThread>, Problem> DiskThread::start(DiskFile file) {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return Problem{"eventfd: " + errno_text(errno)};
  std::unique_ptr<DiskThread> disk(new DiskThread(std::move(file), std::move(event)));
  disk->thread_ = std::thread([raw = disk.get()] { raw->work(); });
  return disk;
}

DiskThread::~DiskThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void DiskThread::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !asked_.empty(); });
    if (stopping_) return;
    const DiskRequest request = asked_.front();
    asked_.pop_front();
    lock.unlock();
    Done done{request.id, perform(request), {}};
    if (done.ok && request.kind == DiskRequest::Kind::read) done.bytes.assign(file_.read_bytes().begin(), file_.read_bytes().end());
    lock.lock();
    done_.push_back(std::move(done));
    const std::uint64_t one = 1;
    // It cannot be full: at most one for each request that is out.
    while (::write(event_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
}

bool DiskThread::perform(const DiskRequest& request) {
  if (request.kind == DiskRequest::Kind::read) return file_.perform(request);
  if (!broken_) broken_ = !file_.perform(request);
  return !broken_;
}

void DiskThread::take_requests(DiskUser& user) {
  bool any = false;
  {
    const std::lock_guard lock(mutex_);
    while (const auto request = user.next_request()) {
      asked_.push_back(*request);
      ++out_;
      any = true;
    }
  }
  if (any) changed_.notify_one();
}

bool DiskThread::exchange(DiskUser& user) {
  take_requests(user);
  std::uint64_t count = 0;
  while (::read(event_.get(), &count, sizeof count) < 0 && errno == EINTR) {
  }
  {
    const std::lock_guard lock(mutex_);
    reported_.swap(done_);
  }
  if (reported_.empty()) return false;
  for (const Done& each : reported_) {
    --out_;
    user.completed(each.id, each.ok, each.bytes);
  }
  reported_.clear();
  take_requests(user);
  return true;
}

void DiskThread::run(DiskUser& user) {
  while (exchange(user) || out_ > 0) {
    if (out_ == 0) continue;
    pollfd waited{event_.get(), POLLIN, 0};
    while (::poll(&waited, 1, -1) < 0 && errno == EINTR) {
    }
  }
}

}  // namespace statefs
