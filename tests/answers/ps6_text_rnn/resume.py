# Answers to ps6-resume; each cell below stands in for the student's solution cell.
# %% right: everything by itself
class Resumable(Trainer):
    def state(self):
        whole = {
            "net": [p.detach() for p in self.net.parameters()],
            "waiting": [p.grad for p in self.net.parameters()],
            "adam": self.adam.state_dict(),
            "rate": self.rate.state_dict(),
            "smooth": self.smooth,
            "deck": self.deck,
            "dealer": repr(self.dealer.bit_generator.state),
            "blanker": self.blanker.get_state(),
            "torch": torch.get_rng_state(),
            "counts": (self.batches, self.updates, float(self.best)),
            "best": self.best_weights,
        }
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        import ast

        whole = torch.load(io.BytesIO(data), weights_only=True)
        with torch.no_grad():
            for p, saved in zip(self.net.parameters(), whole["net"], strict=True):
                p.copy_(saved)
        for p, grad in zip(self.net.parameters(), whole["waiting"], strict=True):
            p.grad = None if grad is None else grad.clone()
        self.adam.load_state_dict(whole["adam"])
        self.rate.load_state_dict(whole["rate"])
        self.smooth = whole["smooth"]
        self.deck = list(whole["deck"])
        self.dealer.bit_generator.state = ast.literal_eval(whole["dealer"])
        self.blanker = torch.Generator()
        self.blanker.set_state(whole["blanker"])
        self.batches, self.updates, self.best = whole["counts"]
        self.best_weights = whole["best"]
        torch.set_rng_state(whole["torch"])


# %% right: whatever differs from a new object
class Resumable(Trainer):
    KINDS = (nn.Module, torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler)

    def state(self):
        whole = {}
        for name, value in vars(self).items():
            if name in ("embed", "read", "top", "x", "y"):
                continue
            if isinstance(value, self.KINDS):
                value = value.state_dict()
            elif isinstance(value, torch.Generator):
                value = value.get_state()
            elif isinstance(value, np.random.Generator):
                value = value.bit_generator.state
            whole[name] = value
        whole["grads"] = {n: p.grad for n, p in self.net.named_parameters() if p.grad is not None}
        whole["global"] = torch.random.get_rng_state()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        grads, now = whole.pop("grads"), whole.pop("global")
        for name, value in whole.items():
            own = getattr(self, name)
            if isinstance(own, self.KINDS):
                own.load_state_dict(value)
            elif isinstance(own, torch.Generator):
                own.set_state(value)
            elif isinstance(own, np.random.Generator):
                own.bit_generator.state = value
            else:
                setattr(self, name, value)
        for name, p in self.net.named_parameters():
            p.grad = grads.get(name)
        torch.random.set_rng_state(now)


# %% wrong: weights alone
# why: the usual model.pt; counters and the running mean beside it
class Resumable(Trainer):
    def state(self):
        names = ("smooth", "deck", "batches", "updates", "best", "best_weights")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net",):
            whole[name] = getattr(self, name).state_dict()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "deck", "batches", "updates", "best", "best_weights"):
            setattr(self, name, whole[name])
        for name in ("net",):
            getattr(self, name).load_state_dict(whole[name])


# %% wrong: no optimiser
# why: Adam starts again with empty memories
class Resumable(Trainer):
    def state(self):
        names = ("smooth", "deck", "batches", "updates", "best", "best_weights")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net", "rate"):
            whole[name] = getattr(self, name).state_dict()
        whole["grads"] = [p.grad for p in self.net.parameters()]
        whole["dealer"] = self.dealer.bit_generator.state
        whole["blanker"] = self.blanker.get_state()
        whole["torch"] = torch.get_rng_state()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "deck", "batches", "updates", "best", "best_weights"):
            setattr(self, name, whole[name])
        for name in ("net", "rate"):
            getattr(self, name).load_state_dict(whole[name])
        for p, grad in zip(self.net.parameters(), whole["grads"], strict=True):
            p.grad = grad
        self.dealer.bit_generator.state = whole["dealer"]
        self.blanker.set_state(whole["blanker"])
        torch.set_rng_state(whole["torch"])


# %% wrong: the schedule starts again
# why: the learning rate is that of the beginning
class Resumable(Trainer):
    def state(self):
        names = ("smooth", "deck", "batches", "updates", "best", "best_weights")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net", "adam"):
            whole[name] = getattr(self, name).state_dict()
        whole["grads"] = [p.grad for p in self.net.parameters()]
        whole["dealer"] = self.dealer.bit_generator.state
        whole["blanker"] = self.blanker.get_state()
        whole["torch"] = torch.get_rng_state()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "deck", "batches", "updates", "best", "best_weights"):
            setattr(self, name, whole[name])
        for name in ("net", "adam"):
            getattr(self, name).load_state_dict(whole[name])
        for p, grad in zip(self.net.parameters(), whole["grads"], strict=True):
            p.grad = grad
        self.dealer.bit_generator.state = whole["dealer"]
        self.blanker.set_state(whole["blanker"])
        torch.set_rng_state(whole["torch"])
        self.rate = type(self.rate)(self.adam, 40)


# %% wrong: the deck is dealt anew
# why: the epoch begins again: some texts twice
class Resumable(Trainer):
    def state(self):
        names = ("smooth", "batches", "updates", "best", "best_weights")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net", "adam", "rate"):
            whole[name] = getattr(self, name).state_dict()
        whole["grads"] = [p.grad for p in self.net.parameters()]
        whole["dealer"] = self.dealer.bit_generator.state
        whole["blanker"] = self.blanker.get_state()
        whole["torch"] = torch.get_rng_state()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "batches", "updates", "best", "best_weights"):
            setattr(self, name, whole[name])
        for name in ("net", "adam", "rate"):
            getattr(self, name).load_state_dict(whole[name])
        for p, grad in zip(self.net.parameters(), whole["grads"], strict=True):
            p.grad = grad
        self.dealer.bit_generator.state = whole["dealer"]
        self.blanker.set_state(whole["blanker"])
        torch.set_rng_state(whole["torch"])
        self.deck = []


# %% wrong: the dealer's state is lost
# why: the next epoch comes in another order
class Resumable(Trainer):
    def state(self):
        names = ("smooth", "deck", "batches", "updates", "best", "best_weights")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net", "adam", "rate"):
            whole[name] = getattr(self, name).state_dict()
        whole["grads"] = [p.grad for p in self.net.parameters()]
        whole["blanker"] = self.blanker.get_state()
        whole["torch"] = torch.get_rng_state()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "deck", "batches", "updates", "best", "best_weights"):
            setattr(self, name, whole[name])
        for name in ("net", "adam", "rate"):
            getattr(self, name).load_state_dict(whole[name])
        for p, grad in zip(self.net.parameters(), whole["grads"], strict=True):
            p.grad = grad
        self.blanker.set_state(whole["blanker"])
        torch.set_rng_state(whole["torch"])


# %% wrong: the blanker's state is lost
# why: a generator that is no global one
class Resumable(Trainer):
    def state(self):
        names = ("smooth", "deck", "batches", "updates", "best", "best_weights")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net", "adam", "rate"):
            whole[name] = getattr(self, name).state_dict()
        whole["grads"] = [p.grad for p in self.net.parameters()]
        whole["dealer"] = self.dealer.bit_generator.state
        whole["torch"] = torch.get_rng_state()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "deck", "batches", "updates", "best", "best_weights"):
            setattr(self, name, whole[name])
        for name in ("net", "adam", "rate"):
            getattr(self, name).load_state_dict(whole[name])
        for p, grad in zip(self.net.parameters(), whole["grads"], strict=True):
            p.grad = grad
        self.dealer.bit_generator.state = whole["dealer"]
        torch.set_rng_state(whole["torch"])


# %% wrong: the global generator is lost
# why: other dropout masks
class Resumable(Trainer):
    def state(self):
        names = ("smooth", "deck", "batches", "updates", "best", "best_weights")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net", "adam", "rate"):
            whole[name] = getattr(self, name).state_dict()
        whole["grads"] = [p.grad for p in self.net.parameters()]
        whole["dealer"] = self.dealer.bit_generator.state
        whole["blanker"] = self.blanker.get_state()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "deck", "batches", "updates", "best", "best_weights"):
            setattr(self, name, whole[name])
        for name in ("net", "adam", "rate"):
            getattr(self, name).load_state_dict(whole[name])
        for p, grad in zip(self.net.parameters(), whole["grads"], strict=True):
            p.grad = grad
        self.dealer.bit_generator.state = whole["dealer"]
        self.blanker.set_state(whole["blanker"])


# %% wrong: gradients that wait are lost
# why: stopped between two updates
class Resumable(Trainer):
    def state(self):
        names = ("smooth", "deck", "batches", "updates", "best", "best_weights")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net", "adam", "rate"):
            whole[name] = getattr(self, name).state_dict()
        whole["dealer"] = self.dealer.bit_generator.state
        whole["blanker"] = self.blanker.get_state()
        whole["torch"] = torch.get_rng_state()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "deck", "batches", "updates", "best", "best_weights"):
            setattr(self, name, whole[name])
        for name in ("net", "adam", "rate"):
            getattr(self, name).load_state_dict(whole[name])
        self.dealer.bit_generator.state = whole["dealer"]
        self.blanker.set_state(whole["blanker"])
        torch.set_rng_state(whole["torch"])
        self.adam.zero_grad()


# %% wrong: the best is forgotten
# why: best loss and best weights start again
class Resumable(Trainer):
    def state(self):
        names = ("smooth", "deck", "batches", "updates")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net", "adam", "rate"):
            whole[name] = getattr(self, name).state_dict()
        whole["grads"] = [p.grad for p in self.net.parameters()]
        whole["dealer"] = self.dealer.bit_generator.state
        whole["blanker"] = self.blanker.get_state()
        whole["torch"] = torch.get_rng_state()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "deck", "batches", "updates"):
            setattr(self, name, whole[name])
        for name in ("net", "adam", "rate"):
            getattr(self, name).load_state_dict(whole[name])
        for p, grad in zip(self.net.parameters(), whole["grads"], strict=True):
            p.grad = grad
        self.dealer.bit_generator.state = whole["dealer"]
        self.blanker.set_state(whole["blanker"])
        torch.set_rng_state(whole["torch"])
        self.best, self.best_weights = np.inf, []


# %% wrong: a seed in place of the state
# why: seeds all generators again on load
class Resumable(Trainer):
    def state(self):
        names = ("smooth", "deck", "batches", "updates", "best", "best_weights")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net", "adam", "rate"):
            whole[name] = getattr(self, name).state_dict()
        whole["grads"] = [p.grad for p in self.net.parameters()]
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "deck", "batches", "updates", "best", "best_weights"):
            setattr(self, name, whole[name])
        for name in ("net", "adam", "rate"):
            getattr(self, name).load_state_dict(whole[name])
        for p, grad in zip(self.net.parameters(), whole["grads"], strict=True):
            p.grad = grad
        torch.manual_seed(self.batches)


# %% wrong: asking draws a number
# why: the state of the generator is taken after a look with dropout
class Resumable(Trainer):
    def state(self):
        self.scores(self.x)
        names = ("smooth", "deck", "batches", "updates", "best", "best_weights")
        whole = {name: getattr(self, name) for name in names}
        for name in ("net", "adam", "rate"):
            whole[name] = getattr(self, name).state_dict()
        whole["grads"] = [p.grad for p in self.net.parameters()]
        whole["dealer"] = self.dealer.bit_generator.state
        whole["blanker"] = self.blanker.get_state()
        whole["torch"] = torch.get_rng_state()
        file = io.BytesIO()
        torch.save(whole, file)
        return file.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in ("smooth", "deck", "batches", "updates", "best", "best_weights"):
            setattr(self, name, whole[name])
        for name in ("net", "adam", "rate"):
            getattr(self, name).load_state_dict(whole[name])
        for p, grad in zip(self.net.parameters(), whole["grads"], strict=True):
            p.grad = grad
        self.dealer.bit_generator.state = whole["dealer"]
        self.blanker.set_state(whole["blanker"])
        torch.set_rng_state(whole["torch"])


# %% wrong: gradients that are left over
# why: None is not put back, so that those of the object's own training stay
class Resumable(Trainer):
    def state(self):
        data = {
            "net": self.net.state_dict(),
            "grads": [None if p.grad is None else p.grad for p in self.net.parameters()],
            "adam": self.adam.state_dict(),
            "rate": self.rate.state_dict(),
            "smooth": self.smooth,
            "deck": self.deck,
            "dealer": self.dealer.bit_generator.state,
            "blanker": self.blanker.get_state(),
            "torch": torch.get_rng_state(),
            "counts": (self.batches, self.updates),
            "best": float(self.best),
            "best_weights": self.best_weights,
        }
        f = io.BytesIO()
        torch.save(data, f)
        return f.getvalue()

    def load(self, data):
        d = torch.load(io.BytesIO(data), weights_only=True)
        self.net.load_state_dict(d["net"])
        for p, g in zip(self.net.parameters(), d["grads"], strict=True):
            p.grad = p.grad if g is None else g
        self.adam.load_state_dict(d["adam"])
        self.rate.load_state_dict(d["rate"])
        self.smooth, self.deck = d["smooth"], d["deck"]
        self.dealer.bit_generator.state = d["dealer"]
        self.blanker.set_state(d["blanker"])
        self.batches, self.updates = d["counts"]
        self.best, self.best_weights = d["best"], d["best_weights"]
        torch.set_rng_state(d["torch"])
