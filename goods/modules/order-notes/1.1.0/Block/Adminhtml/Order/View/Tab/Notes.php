<?php

declare(strict_types=1);

namespace Fernhill\OrderNotes\Block\Adminhtml\Order\View\Tab;

use Fernhill\OrderNotes\Model\Note;
use Fernhill\OrderNotes\Model\ResourceModel\Note\Collection;
use Fernhill\OrderNotes\Model\ResourceModel\Note\CollectionFactory;
use Magento\Backend\Block\Template;
use Magento\Backend\Block\Template\Context;
use Magento\Backend\Block\Widget\Tab\TabInterface;

/**
 * The tab "Staff Notes" of the order page.
 */
class Notes extends Template implements TabInterface
{
    /** @var string */
    protected $_template = 'Fernhill_OrderNotes::order/notes.phtml';

    private ?Collection $notes = null;

    public function __construct(
        Context $context,
        private readonly CollectionFactory $collections,
        array $data = []
    ) {
        parent::__construct($context, $data);
    }

    /** The notes of the order that is on the page. */
    public function getNotes(): Collection
    {
        return $this->notes ??= $this->collections->create()->ofOrder($this->getOrderId());
    }

    public function getOrderId(): int
    {
        return (int)$this->getRequest()->getParam('order_id');
    }

    public function canWrite(): bool
    {
        return $this->_authorization->isAllowed('Fernhill_OrderNotes::write');
    }

    public function canDelete(): bool
    {
        return $this->_authorization->isAllowed('Fernhill_OrderNotes::delete');
    }

    public function getSaveUrl(): string
    {
        return $this->getUrl('fernhill_ordernotes/note/save', ['order_id' => $this->getOrderId()]);
    }

    public function getDeleteUrl(Note $note): string
    {
        return $this->getUrl('fernhill_ordernotes/note/delete', ['note_id' => $note->getId()]);
    }

    public function getPinUrl(Note $note): string
    {
        return $this->getUrl(
            'fernhill_ordernotes/note/pin',
            ['note_id' => $note->getId(), 'pinned' => $note->isPinned() ? 0 : 1]
        );
    }

    /** When the note was written, in the admin's own time zone and language. */
    public function whenWritten(Note $note): string
    {
        return $this->formatDate($note->getCreatedAt(), \IntlDateFormatter::MEDIUM, true);
    }

    public function getTabLabel()
    {
        return __('Staff Notes (%1)', $this->getNotes()->getSize());
    }

    public function getTabTitle()
    {
        return __('Notes that only staff can see');
    }

    public function canShowTab()
    {
        return $this->_authorization->isAllowed('Fernhill_OrderNotes::notes');
    }

    public function isHidden()
    {
        return false;
    }
}
