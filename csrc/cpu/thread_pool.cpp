#include "cpu/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "common/checks.h"

namespace minidl::cpu {
namespace {

constexpr int kSpins = 2000;  // some tens of microseconds

// One parallel_for. Lives on the caller's stack until every worker has left it.
struct Job {
  int64_t size;
  int64_t grain;
  Erased body;
  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error = nullptr;
  std::mutex error_guard = {};

  void work() {
    while (!failed.load(std::memory_order_relaxed)) {
      const int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= size) return;
      try {
        body(begin, begin + std::min(grain, size - begin));
      } catch (...) {
        std::lock_guard lock(error_guard);
        if (!error) error = std::current_exception();
        failed = true;
      }
    }
  }
};

thread_local bool inside = false;  // this thread is running a body

// Waits a little for something that another processor is about to do. Work tends to come in bursts:
// sleeping and being woken costs several microseconds each time, which is as much as many kernels.
template <class Condition>
void spin_until(const Condition& condition) {
  for (int turn = 0; turn < kSpins && !condition(); ++turn) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

class Pool {
 public:
  // False when another thread's job is running; nothing was done then.
  bool run(Job& job, int helpers) {
    std::unique_lock turn(turn_, std::try_to_lock);
    if (!turn.owns_lock()) return false;
    start(helpers);
    keep_off(sched_getcpu(), helpers);
    {
      std::lock_guard lock(guard_);
      job_ = &job;
      seats_ = helpers;
    }
    wake_.notify_all();
    inside = true;
    job.work();
    inside = false;
    std::unique_lock lock(guard_);
    seats_ = 0;  // a worker that has not woken yet must not touch the job any more
    lock.unlock();
    spin_until([this] { return busy_ == 0; });
    lock.lock();
    done_.wait(lock, [this] { return busy_ == 0; });
    job_ = nullptr;
    return true;
  }

 private:
  void start(int helpers) {
    try {
      while (static_cast<int>(workers_.size()) < helpers) {
        workers_.reserve(workers_.size() + 1);
        std::thread worker([this] { serve(); });
        workers_.push_back({worker.native_handle(), -1});
        worker.detach();
      }
    } catch (const std::system_error&) {
      // The system gives no more threads: the job is done by those that there are.
    }
  }

  // Lets the workers run on every processor but the caller's. Linux wakes a thread on the processor
  // of whoever wakes it, for the warmth of the cache: there it would wait for the caller, which
  // does all the work meanwhile, and the next balancing is milliseconds away.
  void keep_off(int processor, int helpers) {
    if (processor < 0 || processor >= CPU_SETSIZE) return;
    cpu_set_t others = allowed_;
    CPU_CLR(static_cast<size_t>(processor), &others);
    const int count = std::min(helpers, static_cast<int>(workers_.size()));
    if (CPU_COUNT(&others) < count) return;  // more threads than processors: let them be shared
    for (int i = 0; i < count; ++i) {
      Worker& worker = workers_[static_cast<size_t>(i)];
      if (worker.kept_off == processor) continue;
      worker.kept_off = processor;
      (void)pthread_setaffinity_np(worker.thread, sizeof others, &others);
    }
  }

  static cpu_set_t allowed_processors() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    (void)sched_getaffinity(0, sizeof allowed, &allowed);
    return allowed;
  }

  void serve() {
    inside = true;
    std::unique_lock lock(guard_);
    for (;;) {
      lock.unlock();
      spin_until([this] { return seats_ > 0; });
      lock.lock();
      wake_.wait(lock, [this] { return seats_ > 0; });
      --seats_;
      ++busy_;
      Job* job = job_;
      lock.unlock();
      job->work();
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex turn_;   // held by the caller whose job is running
  std::mutex guard_;  // guards everything below
  std::condition_variable wake_, done_;
  Job* job_ = nullptr;
  std::atomic<int> seats_{0};  // workers that may still join the job; written under guard_
  std::atomic<int> busy_{0};   // workers inside the job; written under guard_

  struct Worker {
    pthread_t thread;
    int kept_off;  // the processor that it may not use, -1 at first
  };
  std::vector<Worker> workers_;                     // touched by whoever has the turn
  const cpu_set_t allowed_ = allowed_processors();  // of the thread that made the pool
};

int initial_threads() {
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    const int count = std::atoi(text);  // "4,2" (nested levels) gives 4, nonsense gives 0
    if (count >= 1) return count;
  }
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    return std::max(1, CPU_COUNT(&allowed));
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

std::atomic<int>& threads() {
  static std::atomic<int> count{initial_threads()};
  return count;
}

std::atomic<Pool*> current{nullptr};

// The threads of the parent do not exist in the child, and its locks may be held by one of them:
// the child forgets the old pool (a few hundred bytes) and starts afresh when it needs one.
void forget_pool() {
  current = nullptr;
  inside = false;
}

Pool& pool() {
  static const int registered = pthread_atfork(nullptr, nullptr, &forget_pool);
  (void)registered;
  Pool* existing = current.load();
  if (existing == nullptr) {
    Pool* fresh = new Pool;  // never destroyed: its threads may outlive static destruction
    if (current.compare_exchange_strong(existing, fresh)) return *fresh;
    delete fresh;
  }
  return *existing;
}

}  // namespace

int get_num_threads() { return threads(); }

void set_num_threads(int count) {
  MINIDL_CHECK(count >= 1, "set_num_threads expects a positive integer, got ", count);
  threads() = count;
}

void run_pieces(int64_t size, int64_t grain, Erased body) {
  MINIDL_CHECK(grain >= 1, "parallel_for: grain must be positive, got ", grain);
  if (size <= 0) return;
  const int64_t pieces = (size - 1) / grain + 1;
  const int helpers = static_cast<int>(std::min<int64_t>(pieces, get_num_threads())) - 1;
  Job job{size, grain, body};
  if (helpers == 0 || inside || !pool().run(job, helpers)) job.work();
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace minidl::cpu
